"""The twin's own endpoints, below `/_twin`: what tests see and steer. Not logged, not guarded, never faulted."""
