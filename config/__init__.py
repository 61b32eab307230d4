"""What a stack file may say: reads it and checks it. Only `preflight` uses the network."""
