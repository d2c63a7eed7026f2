"""From what exists in Airbyte, as Terraform or the server has it, to the files and the import that say so. Pure."""
