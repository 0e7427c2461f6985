terraform {
  # `tofu test` mocks data sources by name since 1.8; the backend's options are those of 1.10.
  required_version = ">= 1.10.0"

  required_providers {
    oci = {
      source  = "oracle/oci"
      version = "7.19.0"
    }
  }
}

# Who is asking comes from ~/.oci/config, which the OCI command line writes too.
provider "oci" {
  region = var.region
}
