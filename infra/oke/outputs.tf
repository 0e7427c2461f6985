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

output "traefik_values" {
  description = "Of Traefik's chart, installed as `traefik` in the namespace `ingress`: ingress.tf says why."
  value       = local.traefik_values
}

output "image" {
  description = "The image of the nodes."
  value       = local.newest_image == null ? null : split(" ", local.newest_image)[2]
}
