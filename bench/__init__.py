"""What Holdpoint costs, beside the least the same work can cost, measured in the same run."""
