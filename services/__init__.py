"""What can be done: one module a subject, run inside the writer's transaction."""
