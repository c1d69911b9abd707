"""Everything between the degradations and the tasks: taxonomy, data, answers, confidence, command line."""
