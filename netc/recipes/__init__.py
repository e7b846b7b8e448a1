"""The tables of what a recipe is made of: losses, metrics, data sets, preparation, optimizers, schedules."""
