locals {
  anywhere = "0.0.0.0/0"
  # What pods and services have inside the cluster; nobody outside it sees these.
  pods_cidr     = "10.244.0.0/16"
  services_cidr = "10.96.0.0/16"

  subnets = {
    api           = { cidr = "10.0.0.0/28", public = true }
    nodes         = { cidr = "10.0.10.0/24", public = false }
    loadbalancers = { cidr = "10.0.20.0/24", public = true }
  }
}

resource "oci_core_vcn" "this" {
  compartment_id = var.compartment_ocid
  cidr_blocks    = ["10.0.0.0/16"]
  display_name   = var.name
  dns_label      = replace(var.name, "-", "")
}

# Oracle's own services: images of nodes, the control plane, object storage. No byte of it takes the internet.
data "oci_core_services" "all" {
  filter {
    name   = "name"
    values = ["All .* Services In Oracle Services Network"]
    regex  = true
  }
}

resource "oci_core_internet_gateway" "this" {
  compartment_id = var.compartment_ocid
  vcn_id         = oci_core_vcn.this.id
  display_name   = var.name
}

resource "oci_core_nat_gateway" "this" {
  compartment_id = var.compartment_ocid
  vcn_id         = oci_core_vcn.this.id
  display_name   = var.name
}

resource "oci_core_service_gateway" "this" {
  compartment_id = var.compartment_ocid
  vcn_id         = oci_core_vcn.this.id
  display_name   = var.name

  services {
    service_id = data.oci_core_services.all.services[0].id
  }
}

resource "oci_core_route_table" "public" {
  compartment_id = var.compartment_ocid
  vcn_id         = oci_core_vcn.this.id
  display_name   = "${var.name}-public"

  route_rules {
    destination       = local.anywhere
    network_entity_id = oci_core_internet_gateway.this.id
  }
}

resource "oci_core_route_table" "private" {
  compartment_id = var.compartment_ocid
  vcn_id         = oci_core_vcn.this.id
  display_name   = "${var.name}-private"

  route_rules {
    destination       = local.anywhere
    network_entity_id = oci_core_nat_gateway.this.id
  }

  route_rules {
    destination       = data.oci_core_services.all.services[0].cidr_block
    destination_type  = "SERVICE_CIDR_BLOCK"
    network_entity_id = oci_core_service_gateway.this.id
  }
}

resource "oci_core_subnet" "this" {
  for_each = local.subnets

  compartment_id             = var.compartment_ocid
  vcn_id                     = oci_core_vcn.this.id
  cidr_block                 = each.value.cidr
  display_name               = "${var.name}-${each.key}"
  dns_label                  = each.key
  prohibit_public_ip_on_vnic = !each.value.public
  prohibit_internet_ingress  = !each.value.public
  route_table_id             = each.value.public ? oci_core_route_table.public.id : oci_core_route_table.private.id
  security_list_ids          = [oci_core_default_security_list.empty.id]
}

# The address that the domain's A record names. It outlives the load balancer, which the ingress controller makes.
resource "oci_core_public_ip" "ingress" {
  compartment_id = var.compartment_ocid
  display_name   = "${var.name}-ingress"
  lifetime       = "RESERVED"

  lifecycle {
    # Kubernetes gives it to the load balancer.
    ignore_changes = [private_ip_id]
  }
}
