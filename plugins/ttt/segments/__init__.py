"""The order of the tokens: text before video, or segment by segment."""
