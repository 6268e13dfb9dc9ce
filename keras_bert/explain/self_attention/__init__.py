"""What the attention heads attend to: maps, statistics, rollout, and the effect of each head."""
