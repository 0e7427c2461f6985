# Who may connect to whom: what OKE asks for with flannel and a public API endpoint, and nothing beside it.
# Every rule is in a group; the subnets' list has none. A new VCN's own list would let the world reach port 22.
resource "oci_core_default_security_list" "empty" {
  manage_default_resource_id = oci_core_vcn.this.default_security_list_id
  display_name               = "${var.name}-empty"
}

resource "oci_core_network_security_group" "this" {
  for_each = local.subnets

  compartment_id = var.compartment_ocid
  vcn_id         = oci_core_vcn.this.id
  display_name   = "${var.name}-${each.key}"
}

locals {
  # What the API server's proxy, the nodes' ports of services and kube-proxy's health check listen on.
  kubernetes_api = 6443
  control_plane  = 12250
  node_ports     = [30000, 32767]
  proxy_health   = 10256

  groups  = { for name, group in oci_core_network_security_group.this : name => group.id }
  oracle  = data.oci_core_services.all.services[0].cidr_block
  tcp     = "6"
  icmp    = "1"
  any     = "all"
  to_many = [1, 65535]

  # group, direction, peer (a group, a network, or Oracle's services), protocol, ports
  rules = merge(
    {
      "api from nodes, Kubernetes"       = { of = "api", way = "INGRESS", group = "nodes", protocol = local.tcp, ports = [local.kubernetes_api, local.kubernetes_api] }
      "api from nodes, control plane"    = { of = "api", way = "INGRESS", group = "nodes", protocol = local.tcp, ports = [local.control_plane, local.control_plane] }
      "api from nodes, path MTU"         = { of = "api", way = "INGRESS", group = "nodes", protocol = local.icmp }
      "api to nodes"                     = { of = "api", way = "EGRESS", group = "nodes", protocol = local.tcp, ports = local.to_many }
      "api to nodes, path MTU"           = { of = "api", way = "EGRESS", group = "nodes", protocol = local.icmp }
      "api to Oracle"                    = { of = "api", way = "EGRESS", service = local.oracle, protocol = local.tcp, ports = [443, 443] }
      "nodes from nodes"                 = { of = "nodes", way = "INGRESS", group = "nodes", protocol = local.any }
      "nodes from api"                   = { of = "nodes", way = "INGRESS", group = "api", protocol = local.tcp, ports = local.to_many }
      "nodes from anywhere, path MTU"    = { of = "nodes", way = "INGRESS", cidr = local.anywhere, protocol = local.icmp }
      "nodes from load balancers"        = { of = "nodes", way = "INGRESS", group = "loadbalancers", protocol = local.tcp, ports = local.node_ports }
      "nodes from load balancers, alive" = { of = "nodes", way = "INGRESS", group = "loadbalancers", protocol = local.tcp, ports = [local.proxy_health, local.proxy_health] }
      "nodes to nodes"                   = { of = "nodes", way = "EGRESS", group = "nodes", protocol = local.any }
      "nodes to api, Kubernetes"         = { of = "nodes", way = "EGRESS", group = "api", protocol = local.tcp, ports = [local.kubernetes_api, local.kubernetes_api] }
      "nodes to api, control plane"      = { of = "nodes", way = "EGRESS", group = "api", protocol = local.tcp, ports = [local.control_plane, local.control_plane] }
      "nodes to Oracle"                  = { of = "nodes", way = "EGRESS", service = local.oracle, protocol = local.tcp, ports = local.to_many }
      "nodes to anywhere, path MTU"      = { of = "nodes", way = "EGRESS", cidr = local.anywhere, protocol = local.icmp }
      "load balancers to nodes"          = { of = "loadbalancers", way = "EGRESS", group = "nodes", protocol = local.tcp, ports = local.node_ports }
      "load balancers to nodes, alive"   = { of = "loadbalancers", way = "EGRESS", group = "nodes", protocol = local.tcp, ports = [local.proxy_health, local.proxy_health] }
    },
    { for cidr in var.api_allowed_cidrs : "api from ${cidr}" => { of = "api", way = "INGRESS", cidr = cidr, protocol = local.tcp, ports = [local.kubernetes_api, local.kubernetes_api] } },
    { for port in var.egress_tcp_ports : "nodes to anywhere, ${port}" => { of = "nodes", way = "EGRESS", cidr = local.anywhere, protocol = local.tcp, ports = [port, port] } },
    # 80 for those who forget the s, certificates among them.
    { for port in [80, 443] : "load balancers from anywhere, ${port}" => { of = "loadbalancers", way = "INGRESS", cidr = local.anywhere, protocol = local.tcp, ports = [port, port] } },
  )
}

resource "oci_core_network_security_group_security_rule" "this" {
  for_each = local.rules

  network_security_group_id = local.groups[each.value.of]
  description               = each.key
  direction                 = each.value.way
  protocol                  = each.value.protocol

  source           = each.value.way == "INGRESS" ? local.peers[each.key].name : null
  source_type      = each.value.way == "INGRESS" ? local.peers[each.key].type : null
  destination      = each.value.way == "EGRESS" ? local.peers[each.key].name : null
  destination_type = each.value.way == "EGRESS" ? local.peers[each.key].type : null

  dynamic "tcp_options" {
    for_each = try([each.value.ports], [])
    content {
      destination_port_range {
        min = tcp_options.value[0]
        max = tcp_options.value[1]
      }
    }
  }

  # "Too big, may not be fragmented": without it large packets vanish.
  dynamic "icmp_options" {
    for_each = each.value.protocol == local.icmp ? [3] : []
    content {
      type = icmp_options.value
      code = 4
    }
  }
}

locals {
  peers = {
    for name, rule in local.rules : name => try(
      { type = "NETWORK_SECURITY_GROUP", name = local.groups[rule.group] },
      { type = "SERVICE_CIDR_BLOCK", name = rule.service },
      { type = "CIDR_BLOCK", name = rule.cidr },
    )
  }
}
