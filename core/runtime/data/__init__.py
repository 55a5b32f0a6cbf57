"""Samples: from a data source to batches.

source   what a data source is
order    which sample comes when
loading  batches, read ahead by other processes
sending  how a source comes to these processes
"""
