"""Edits that keep a text's style: comments, order and layout stay byte for byte where nothing is changed."""
