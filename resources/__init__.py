"""Data files: model list, process lists, strings, icons."""
