variable "region" {
  description = "The tenancy's home region: free A1 nodes exist only there."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,3}-[a-z]+-[1-9]$", var.region))
    error_message = "region is an OCI region's identifier, such as eu-frankfurt-1."
  }
}

variable "compartment_ocid" {
  description = "The compartment that holds everything: one of its own, or the tenancy's root."
  type        = string

  validation {
    condition     = can(regex("^ocid1\\.(compartment|tenancy)\\.oc1\\.\\.[a-z0-9]+$", var.compartment_ocid))
    error_message = "compartment_ocid is the OCID of a compartment or of the tenancy: ocid1.compartment.oc1..aaaa or ocid1.tenancy.oc1..aaaa."
  }
}

variable "profile" {
  description = "Which free shape the account has: 12g (2 OCPU, 12 GB) since June 2026, 24g (4 OCPU, 24 GB) before."
  type        = string
  default     = "12g"

  validation {
    condition     = contains(["12g", "24g"], var.profile)
    error_message = "profile is 12g (2 OCPU, 12 GB) or 24g (4 OCPU, 24 GB)."
  }
}

variable "availability_domain" {
  description = "In which of the region's availability domains the nodes are: 1, 2 or 3. Many regions have one; where one has no A1 host left, another may, as long as there is no cluster yet."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 3], var.availability_domain)
    error_message = "availability_domain is 1, 2 or 3."
  }
}

variable "name" {
  description = "The name of the cluster, and the start of every other name."
  type        = string
  default     = "todo"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,14}$", var.name))
    error_message = "name has 1 to 15 lower case letters, digits and hyphens, and starts with a letter."
  }
}

variable "kubernetes_version" {
  description = "The version of the control plane and of the nodes."
  type        = string
  default     = "v1.34.1"

  validation {
    condition     = can(regex("^v1\\.[0-9]{2}\\.[0-9]+$", var.kubernetes_version))
    error_message = "kubernetes_version is one that OKE offers, as v1.34.1; `oci ce cluster-options get --cluster-option-id all` lists them."
  }
}

variable "api_allowed_cidrs" {
  description = "Who reaches the Kubernetes API. Workflows on GitHub's own runners come from anywhere: [\"0.0.0.0/0\"]."
  type        = list(string)

  validation {
    condition     = length(var.api_allowed_cidrs) > 0 && alltrue([for cidr in var.api_allowed_cidrs : can(cidrhost(cidr, 0))])
    error_message = "api_allowed_cidrs is a list of networks, such as [\"203.0.113.7/32\"]; without one nobody reaches the cluster."
  }
}

variable "egress_tcp_ports" {
  description = "To which ports of the internet pods connect: 443 and 80 for images, web push, webhooks and certificates, 5432 for Neon. Add 9092 for a managed Kafka, 587 for mail."
  type        = list(number)
  default     = [80, 443, 5432]

  validation {
    condition     = contains(var.egress_tcp_ports, 443) && alltrue([for port in var.egress_tcp_ports : port >= 1 && port <= 65535 && floor(port) == port])
    error_message = "egress_tcp_ports are whole numbers from 1 to 65535, 443 among them, since nodes pull images by it."
  }
}
