output "cluster_id" {
  description = "The cluster's OCID."
  value       = oci_containerengine_cluster.this.id
}

output "kubeconfig_command" {
  description = "Writes ~/.kube/config; the tokens in it are made by the OCI command line when they are needed."
  value       = "oci ce cluster create-kubeconfig --cluster-id ${oci_containerengine_cluster.this.id} --region ${var.region} --kube-endpoint PUBLIC_ENDPOINT --token-version 2.0.0 --file ~/.kube/config"
}

output "ingress_address" {
  description = "What the A record of the domain names."
  value       = oci_core_public_ip.ingress.ip_address
}

output "ingress_service" {
  description = "Of the ingress controller's Service: the free load balancer, on the reserved address, behind the rules of security.tf."
  value = {
    loadBalancerIP = oci_core_public_ip.ingress.ip_address
    annotations = {
      "oci.oraclecloud.com/load-balancer-type"                      = "lb"
      "oci.oraclecloud.com/oci-network-security-groups"             = local.groups["loadbalancers"]
      "oci.oraclecloud.com/security-rule-management-mode"           = "None"
      "service.beta.kubernetes.io/oci-load-balancer-shape"          = "flexible"
      "service.beta.kubernetes.io/oci-load-balancer-shape-flex-min" = tostring(local.load_balancer_mbps)
      "service.beta.kubernetes.io/oci-load-balancer-shape-flex-max" = tostring(local.load_balancer_mbps)
    }
  }
}

output "image" {
  description = "The image of the nodes."
  value       = local.newest_image == null ? null : split(" ", local.newest_image)[2]
}
