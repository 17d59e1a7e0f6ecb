"""netlab builds a Docker-like bridge network step by step with the real tools, proves it, and takes it back."""

__version__ = "0.1.0"
