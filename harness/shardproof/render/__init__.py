"""A trace, a report or an error for people and for other tools."""
