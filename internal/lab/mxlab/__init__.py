"""The parts of the laboratory: one module for each thing it does, and one for each family of daemons."""
