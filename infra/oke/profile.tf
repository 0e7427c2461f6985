# What is always free, and what of it this cluster takes. tests/free_tier.tftest.hcl adds it up.
locals {
  # Two nodes, so that one may be lost; each with half of the shape.
  nodes = 2
  node = {
    "12g" = { ocpus = 1, memory_gb = 6 }
    "24g" = { ocpus = 2, memory_gb = 12 }
  }[var.profile]

  # The least that OCI makes. 200 GB of block storage are free: two of these, one volume of a pod, and 50 GB to spare.
  boot_volume_gb = 50

  # The one flexible load balancer that is free.
  load_balancer_mbps = 10
}
