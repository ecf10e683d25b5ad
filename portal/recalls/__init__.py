"""What follows a withdrawal: every holder told, until each has answered."""
