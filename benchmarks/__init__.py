"""Benchmarks of kmeans_fast: cases and competitors as data, every peer in its own process.

``python -m benchmarks --help`` lists the suites; README.md here explains what makes a row fair.
This package never imports kmeans_fast in the parent process: it is a competitor like the others.
"""
