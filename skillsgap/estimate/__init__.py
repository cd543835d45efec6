"""What is so: design, levels, profiles, requirements, gaps and priorities, each with its uncertainty."""
