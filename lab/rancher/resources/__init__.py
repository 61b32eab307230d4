"""The types of resources that the server has requests for, one file for each that has rules of its own."""
