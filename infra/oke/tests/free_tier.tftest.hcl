# What the cluster takes of what is always free, and which values are refused.

mock_provider "oci" {
  mock_data "oci_core_services" {
    defaults = {
      services = [{ id = "ocid1.service.oc1..a", cidr_block = "all-fra-services-in-oracle-services-network", name = "All FRA Services In Oracle Services Network", description = "" }]
    }
  }
  mock_data "oci_identity_availability_domains" {
    defaults = {
      availability_domains = [
        { id = "ocid1.availabilitydomain.oc1..a", name = "Uocm:EU-FRANKFURT-1-AD-1", compartment_id = "" },
        { id = "ocid1.availabilitydomain.oc1..b", name = "Uocm:EU-FRANKFURT-1-AD-2", compartment_id = "" },
      ]
    }
  }
  mock_data "oci_containerengine_cluster_option" {
    defaults = { kubernetes_versions = ["v1.33.1", "v1.34.1", "v1.35.0"] }
  }
  mock_data "oci_containerengine_node_pool_option" {
    defaults = {
      kubernetes_versions = ["v1.33.1", "v1.34.1"]
      sources = [
        { image_id = "ocid1.image.oc1..old", source_name = "Oracle-Linux-8.9-aarch64-2025.08.31-0-OKE-1.34.1-998", source_type = "IMAGE" },
        { image_id = "ocid1.image.oc1..new", source_name = "Oracle-Linux-8.10-aarch64-2025.09.16-0-OKE-1.34.1-1191", source_type = "IMAGE" },
        { image_id = "ocid1.image.oc1..same-day", source_name = "Oracle-Linux-8.10-aarch64-2025.09.16-0-OKE-1.34.1-999", source_type = "IMAGE" },
        { image_id = "ocid1.image.oc1..amd64", source_name = "Oracle-Linux-8.10-2025.10.16-0-OKE-1.34.1-1300", source_type = "IMAGE" },
        { image_id = "ocid1.image.oc1..gpu", source_name = "Oracle-Linux-8.10-Gen2-GPU-2025.10.16-0-OKE-1.34.1-1300", source_type = "IMAGE" },
        { image_id = "ocid1.image.oc1..other", source_name = "Oracle-Linux-8.10-aarch64-2025.11.01-0-OKE-1.33.1-1400", source_type = "IMAGE" },
      ]
    }
  }
}

variables {
  region            = "eu-frankfurt-1"
  compartment_ocid  = "ocid1.compartment.oc1..aaaaaaaatest"
  api_allowed_cidrs = ["203.0.113.7/32"]
}

run "the_12g_profile_is_the_free_shape" {
  command = plan

  assert {
    condition     = oci_containerengine_node_pool.this.node_shape == "VM.Standard.A1.Flex"
    error_message = "only A1 nodes are free"
  }
  assert {
    condition     = oci_containerengine_node_pool.this.node_config_details[0].size * oci_containerengine_node_pool.this.node_shape_config[0].ocpus == 2
    error_message = "2 OCPU are free"
  }
  assert {
    condition     = oci_containerengine_node_pool.this.node_config_details[0].size * oci_containerengine_node_pool.this.node_shape_config[0].memory_in_gbs == 12
    error_message = "12 GB are free"
  }
  assert {
    condition     = oci_containerengine_node_pool.this.node_config_details[0].size * oci_containerengine_node_pool.this.node_source_details[0].boot_volume_size_in_gbs + 50 <= 200 - 50
    error_message = "200 GB of block storage are free: the boot volumes, one volume of a pod with 50 GB, and 50 GB to spare"
  }
  assert {
    condition     = oci_containerengine_cluster.this.type == "BASIC_CLUSTER"
    error_message = "an enhanced cluster costs by the hour"
  }
  assert {
    condition = (
      output.traefik_values.service.annotations["service.beta.kubernetes.io/oci-load-balancer-shape-flex-max"] == "10" &&
      output.traefik_values.service.annotations["service.beta.kubernetes.io/oci-load-balancer-shape"] == "flexible"
    )
    error_message = "the free load balancer is flexible and has 10 Mbps"
  }
}

run "the_24g_profile_is_the_older_free_shape" {
  command = plan

  variables {
    profile = "24g"
  }

  assert {
    condition     = oci_containerengine_node_pool.this.node_config_details[0].size * oci_containerengine_node_pool.this.node_shape_config[0].ocpus == 4
    error_message = "4 OCPU were free"
  }
  assert {
    condition     = oci_containerengine_node_pool.this.node_config_details[0].size * oci_containerengine_node_pool.this.node_shape_config[0].memory_in_gbs == 24
    error_message = "24 GB were free"
  }
  assert {
    condition     = oci_containerengine_node_pool.this.node_config_details[0].size * oci_containerengine_node_pool.this.node_source_details[0].boot_volume_size_in_gbs + 50 <= 200 - 50
    error_message = "block storage is the same in both"
  }
}

run "the_newest_arm64_image_of_the_version_is_taken" {
  command = plan

  assert {
    condition     = oci_containerengine_node_pool.this.node_source_details[0].image_id == "ocid1.image.oc1..new"
    error_message = "by its day, and by its build on the same day; not by its name, nor of another architecture or version"
  }
  assert {
    condition     = output.image == "Oracle-Linux-8.10-aarch64-2025.09.16-0-OKE-1.34.1-1191"
    error_message = "the output names it"
  }
}

run "the_address_of_a_client_comes_through" {
  command = plan

  assert {
    condition     = output.traefik_values.service.annotations["service.beta.kubernetes.io/oci-load-balancer-connection-proxy-protocol-version"] == "2"
    error_message = "the load balancer says for whom a connection is"
  }
  assert {
    condition = (
      output.traefik_values.ports.web.proxyProtocol.trustedIPs == ["10.0.20.0/24", "10.0.10.0/24", "10.244.0.0/16"] &&
      output.traefik_values.ports.websecure.proxyProtocol.trustedIPs == ["10.0.20.0/24", "10.0.10.0/24", "10.244.0.0/16"]
    )
    error_message = "it is believed, and nobody outside the cluster's own nets"
  }
}

run "nodes_are_in_one_availability_domain_and_have_no_public_address" {
  command = plan

  assert {
    condition     = [for placement in oci_containerengine_node_pool.this.node_config_details[0].placement_configs : placement.availability_domain] == ["Uocm:EU-FRANKFURT-1-AD-1"]
    error_message = "a volume follows its pod to nodes of its own domain alone"
  }
  assert {
    condition     = oci_core_subnet.this["nodes"].prohibit_public_ip_on_vnic && oci_core_subnet.this["nodes"].prohibit_internet_ingress
    error_message = "nodes are private"
  }
}

run "the_internet_reaches_80_and_443_and_the_api_only_from_where_it_is_allowed" {
  command = plan

  assert {
    condition = toset([
      for rule in oci_core_network_security_group_security_rule.this : "${rule.source} ${rule.tcp_options[0].destination_port_range[0].min}"
      if rule.direction == "INGRESS" && rule.source_type == "CIDR_BLOCK" && rule.protocol == "6"
    ]) == toset(["203.0.113.7/32 6443", "0.0.0.0/0 80", "0.0.0.0/0 443"])
    error_message = "no other port is open to a network"
  }
  assert {
    condition = alltrue([
      for rule in oci_core_network_security_group_security_rule.this : rule.protocol == "1" && rule.icmp_options[0].type == 3 && rule.icmp_options[0].code == 4
      if rule.protocol != "6" && rule.source_type != "NETWORK_SECURITY_GROUP" && rule.destination_type != "NETWORK_SECURITY_GROUP"
    ])
    error_message = "beside TCP, outsiders may say that a packet is too large"
  }
  assert {
    condition     = length(coalesce(oci_core_default_security_list.empty.ingress_security_rules, [])) == 0
    error_message = "the list of the subnets allows nothing"
  }
}

run "another_availability_domain_is_taken_where_it_is_named" {
  command = plan

  variables {
    availability_domain = 2
  }

  assert {
    condition     = [for placement in oci_containerengine_node_pool.this.node_config_details[0].placement_configs : placement.availability_domain] == ["Uocm:EU-FRANKFURT-1-AD-2"]
    error_message = "the second domain of the region"
  }
}

run "an_availability_domain_that_the_region_lacks_is_refused" {
  command = plan

  variables {
    availability_domain = 3
  }

  expect_failures = [oci_containerengine_node_pool.this]
}

run "a_port_more_lets_pods_reach_a_managed_kafka" {
  command = plan

  variables {
    egress_tcp_ports = [443, 9092]
  }

  assert {
    condition = toset([
      for rule in oci_core_network_security_group_security_rule.this : rule.tcp_options[0].destination_port_range[0].min
      if rule.direction == "EGRESS" && rule.destination == "0.0.0.0/0" && rule.protocol == "6"
    ]) == toset([443, 9092])
    error_message = "pods reach these ports of the internet and no other"
  }
}

run "an_unknown_profile_is_refused" {
  command = plan

  variables {
    profile = "6g"
  }

  expect_failures = [var.profile]
}

run "wrong_forms_are_refused" {
  command = plan

  variables {
    region             = "Frankfurt"
    compartment_ocid   = "todo"
    name               = "Todo"
    kubernetes_version = "1.34"
    api_allowed_cidrs  = ["203.0.113.7"]
    egress_tcp_ports   = [5432]
    # The first is 1.
    availability_domain = 0
  }

  expect_failures = [var.region, var.compartment_ocid, var.name, var.kubernetes_version, var.api_allowed_cidrs, var.egress_tcp_ports, var.availability_domain]
}

run "an_api_that_nobody_reaches_is_refused" {
  command = plan

  variables {
    api_allowed_cidrs = []
  }

  expect_failures = [var.api_allowed_cidrs]
}

run "a_version_that_oke_does_not_offer_is_refused" {
  command = plan

  variables {
    kubernetes_version = "v1.20.1"
  }

  expect_failures = [oci_containerengine_cluster.this]
}

run "a_version_without_an_arm64_image_is_refused" {
  command = plan

  variables {
    kubernetes_version = "v1.35.0"
  }

  expect_failures = [oci_containerengine_node_pool.this]
}
