"""The types of mappers, and the values of their settings. They are apart from `mappers`, which loads a validator."""

from typing import Final, Literal, TypeAlias, get_args

MapperType: TypeAlias = Literal["hashing", "encryption", "field-renaming", "field-filtering", "row-filtering"]
HASHING: Final = "hashing"
ENCRYPTION: Final = "encryption"
FIELD_RENAMING: Final = "field-renaming"
FIELD_FILTERING: Final = "field-filtering"
ROW_FILTERING: Final = "row-filtering"
MAPPER_TYPES: Final[tuple[str, ...]] = get_args(MapperType)
"""The server's names."""
HASHING_METHODS: Final = ("MD2", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512")
