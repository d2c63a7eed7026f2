"""Records of sources that need an account, made up from their discovered schema. Must not know jobs or the store."""
