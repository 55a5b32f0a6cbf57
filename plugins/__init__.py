"""The plugins that come with tttdit, one folder each; they are found by the same entry points as anybody's."""
