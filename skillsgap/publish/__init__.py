"""What may be said: disclosure control, claims, figures and pages."""
