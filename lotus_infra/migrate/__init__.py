"""From what exists in Airbyte, told by a Terraform state or by the server, to the files and the import that say so. Pure."""
