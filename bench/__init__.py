"""How long the project's own parts take, as ratios against floors measured in the same run."""
