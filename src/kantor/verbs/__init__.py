"""What one can do with Kantor: one function a verb, used alike by the command line, notebooks and other programs."""
