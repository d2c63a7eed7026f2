"""Import of existing Airbyte objects, from Terraform states or from a live workspace, into stream files."""
