data "oci_identity_availability_domains" "all" {
  compartment_id = var.compartment_ocid
}

data "oci_containerengine_node_pool_option" "offered" {
  node_pool_option_id = "all"
  compartment_id      = var.compartment_ocid
}

locals {
  domains = data.oci_identity_availability_domains.all.availability_domains[*].name

  # Names are such as Oracle-Linux-8.10-aarch64-2025.09.16-0-OKE-1.34.1-1191: by the day and the build, not by the name,
  # in which 8.9 would come after 8.10.
  images = {
    for source in data.oci_containerengine_node_pool_option.offered.sources :
    "${regex("-aarch64-([0-9.]+)-", source.source_name)[0]} ${format("%08d", tonumber(regex("-([0-9]+)$", source.source_name)[0]))} ${source.source_name}" => source.image_id
    if can(regex("-aarch64-[0-9.]+-.*-OKE-${trimprefix(var.kubernetes_version, "v")}-[0-9]+$", source.source_name))
  }
  newest_image = try(reverse(sort(keys(local.images)))[0], null)
}

resource "oci_containerengine_node_pool" "this" {
  compartment_id     = var.compartment_ocid
  cluster_id         = oci_containerengine_cluster.this.id
  name               = var.name
  kubernetes_version = var.kubernetes_version
  node_shape         = "VM.Standard.A1.Flex"

  node_shape_config {
    ocpus         = local.node.ocpus
    memory_in_gbs = local.node.memory_gb
  }

  node_source_details {
    source_type             = "IMAGE"
    image_id                = local.newest_image == null ? "" : local.images[local.newest_image]
    boot_volume_size_in_gbs = local.boot_volume_gb
  }

  node_config_details {
    size    = local.nodes
    nsg_ids = [local.groups["nodes"]]

    # Both in one: a block volume is of one domain, and so the broker finds its own on the other node. They stand on
    # different hardware all the same, in different fault domains.
    placement_configs {
      availability_domain = try(local.domains[var.availability_domain - 1], "")
      subnet_id           = oci_core_subnet.this["nodes"].id
    }

    node_pool_pod_network_option_details {
      cni_type = "FLANNEL_OVERLAY"
    }
  }

  # Version 1 of the metadata service would give a node's identity to whoever makes a pod fetch a URL.
  node_metadata = {
    areLegacyImdsEndpointsDisabled = "true"
  }

  # A node that is taken away is drained first. A basic cluster replaces no node by itself: see README.md.
  node_eviction_node_pool_settings {
    eviction_grace_duration              = "PT10M"
    is_force_delete_after_grace_duration = true
  }

  lifecycle {
    precondition {
      condition     = var.availability_domain <= length(local.domains)
      error_message = "availability_domain is ${var.availability_domain}, and ${var.region} has ${length(local.domains)}."
    }
    precondition {
      condition     = local.newest_image != null
      error_message = "OKE has no arm64 node image of ${var.kubernetes_version}: set kubernetes_version to one of ${join(", ", data.oci_containerengine_node_pool_option.offered.kubernetes_versions)}."
    }
  }
}
