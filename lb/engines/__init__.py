"""Adapters between the balancing core and serving engines, one file an engine.

Nothing here imports an engine or torch: tensors are recognised where torch is loaded already.
``import lb`` does not load this package; an engine imports the one file that it needs.
"""
