"""What the pipeline costs and how fast it is, measured through its own console command. Nothing here is a test."""
