"""From respondents to the whole workforce."""
