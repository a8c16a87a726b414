"""Decisions: findings -> points, measure and statement; folds of facts. Pure: every decision takes `at` as a value."""
