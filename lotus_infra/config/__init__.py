"""What a stack's configuration says, as typed models."""
