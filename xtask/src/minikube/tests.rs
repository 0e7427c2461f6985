//! What the plan may hold.

use super::{Action, plan};

/// The commands of the plan, as they are printed.
fn lines() -> Vec<String> {
    plan("todo", 7).iter().map(|step| step.action.to_string()).collect()
}

#[test]
fn every_step_may_be_done_again() {
    for line in lines() {
        let repeatable = [
            "upgrade --install",
            "apply --server-side",
            "--overwrite",
            "wait ",
            "minikube start",
            "skopeo copy",
            "registry push",
            "cargo xtask",
        ];
        let only_looks = ["version", "--version"].iter().any(|end| line.ends_with(end) || line.ends_with("--client"));
        assert!(only_looks || repeatable.iter().any(|part| line.contains(part)), "{line}");
    }
}

#[test]
fn everything_from_elsewhere_has_a_version() {
    for line in lines() {
        if line.contains("oci://") || line.contains("--repo ") {
            assert!(line.contains(" --version "), "{line}");
        }
        assert!(!line.contains("latest"), "{line}");
        if line.contains("https://github.com") {
            assert!(line.contains("/releases/download/v"), "{line}");
        }
    }
}

#[test]
fn nothing_is_done_to_another_cluster() {
    for line in lines() {
        for (program, option) in [("kubectl ", "--context todo"), ("helm ", "--kube-context todo")] {
            let looks = line.contains("version --client") || line == "helm version";
            assert!(!line.starts_with(program) || looks || line.contains(option), "{line}");
        }
    }
}

#[test]
fn files_of_the_plan_are_here() {
    for line in lines() {
        for file in line
            .split_whitespace()
            .filter(|word| ["charts/", "kafka/", "xtask/"].iter().any(|folder| word.starts_with(folder)))
        {
            assert!(crate::build::root().join(file).exists(), "`{file}` of `{line}`");
        }
    }
}

#[test]
fn what_is_needed_comes_before_who_needs_it() {
    let lines = lines();
    let at = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part}"));
    for (first, later) in [
        ("minikube start", "cert-manager"),
        ("cert-manager", "charts/spin-operator"),
        ("spin-operator.crds.yaml", "charts/spin-operator"),
        ("strimzi-kafka-operator", "kafka/strimzi"),
        ("registry push", "charts/todo"),
        ("skopeo copy", "charts/todo"),
        ("namespace.yaml", "kafka/strimzi"),
    ] {
        assert!(at(first) < at(later), "{first} comes before {later}");
    }
    assert!(
        matches!(plan("todo", 7).last().map(|step| &step.action), Some(Action::Command(words)) if words[0] == "helm")
    );
}
