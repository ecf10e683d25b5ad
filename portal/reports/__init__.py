"""What the desk is measured by: answers in time, the way from publication to installation, monthly statements."""
