"""The catalogue of models in the order that suits this machine. Asks the processor once."""

from functools import cache

from detectors.catalogue import Catalogue, load_catalogue
from detectors.model import int8_is_exact


@cache
def catalogue_here() -> Catalogue:
    """Return the list that ships with the product, best for this processor first. Raises ``Fatal`` (E-MODEL-LIST)."""
    return load_catalogue().suited(int8_is_exact=int8_is_exact())
