data "oci_containerengine_cluster_option" "offered" {
  cluster_option_id = "all"
  compartment_id    = var.compartment_ocid
}

# The basic cluster, whose control plane costs nothing.
resource "oci_containerengine_cluster" "this" {
  compartment_id     = var.compartment_ocid
  vcn_id             = oci_core_vcn.this.id
  name               = var.name
  type               = "BASIC_CLUSTER"
  kubernetes_version = var.kubernetes_version

  # Small nodes have two network cards; addresses of the VCN for pods would allow 31 pods on each.
  cluster_pod_network_options {
    cni_type = "FLANNEL_OVERLAY"
  }

  endpoint_config {
    is_public_ip_enabled = true
    subnet_id            = oci_core_subnet.this["api"].id
    nsg_ids              = [local.groups["api"]]
  }

  options {
    service_lb_subnet_ids = [oci_core_subnet.this["loadbalancers"].id]

    kubernetes_network_config {
      pods_cidr     = local.pods_cidr
      services_cidr = local.services_cidr
    }
  }

  lifecycle {
    precondition {
      condition     = contains(data.oci_containerengine_cluster_option.offered.kubernetes_versions, var.kubernetes_version)
      error_message = "OKE does not offer ${var.kubernetes_version} for kubernetes_version; it offers ${join(", ", data.oci_containerengine_cluster_option.offered.kubernetes_versions)}."
    }
  }
}
