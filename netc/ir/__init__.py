"""The IR: programs of networks, with one owner for each weight and views of it everywhere else."""
