"""What each command does: settings in, an answer out. Nothing here prints, and nothing here searches."""
