"""The controllers with which Rancher applies its API's documents to a cluster, one in each file."""
