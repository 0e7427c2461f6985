# The ingress controller, as values of Traefik's chart: its Service makes the load balancer, which no file here owns.
locals {
  # Who may say for whom a connection is: the load balancer, and what stands in its place where a node hands a connection on
  # to another one: that node, or its address among the pods.
  proxies = [local.subnets.loadbalancers.cidr, local.subnets.nodes.cidr, local.pods_cidr]

  traefik_values = {
    ingressClass = { isDefaultClass = true }

    # The free load balancer, on the reserved address, behind the rules of security.tf.
    service = {
      annotations = {
        "oci.oraclecloud.com/load-balancer-type"                      = "lb"
        "oci.oraclecloud.com/oci-network-security-groups"             = local.groups["loadbalancers"]
        "oci.oraclecloud.com/security-rule-management-mode"           = "None"
        "service.beta.kubernetes.io/oci-load-balancer-shape"          = "flexible"
        "service.beta.kubernetes.io/oci-load-balancer-shape-flex-min" = tostring(local.load_balancer_mbps)
        "service.beta.kubernetes.io/oci-load-balancer-shape-flex-max" = tostring(local.load_balancer_mbps)
        # It ends connections and begins others: without this all people have one address, the load balancer's.
        "service.beta.kubernetes.io/oci-load-balancer-backend-protocol"                  = "TCP"
        "service.beta.kubernetes.io/oci-load-balancer-connection-proxy-protocol-version" = "2"
      }
      spec = {
        loadBalancerIP        = oci_core_public_ip.ingress.ip_address
        externalTrafficPolicy = "Cluster"
      }
    }

    ports = {
      web = {
        proxyProtocol = { trustedIPs = local.proxies }
        # Who forgets the s is told. Certificates are asked for this way too: Let's Encrypt follows.
        http = { redirections = { entryPoint = { to = "websecure", scheme = "https", permanent = true } } }
      }
      websecure = {
        proxyProtocol = { trustedIPs = local.proxies }
        http          = { middlewares = ["ingress-retry@kubernetescrd"] }
      }
    }

    # SpinKube's pods end without waiting for who was told their address a moment ago. Only where no byte of a request was
    # sent is it tried again, so that no write happens twice.
    extraObjects = [{
      apiVersion = "traefik.io/v1alpha1"
      kind       = "Middleware"
      metadata   = { name = "retry" }
      spec       = { retry = { attempts = 6, initialInterval = "100ms" } }
    }]
  }
}
