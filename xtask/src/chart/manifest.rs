//! What `spin.toml` says of components and variables.

use anyhow::{Context, Result};

use crate::build::root;

/// The application's components and variables.
pub(super) struct Manifest {
    pub(super) components: Vec<String>,
    pub(super) variables: Vec<String>,
    /// The variables that have no default.
    pub(super) required: Vec<String>,
}

impl Manifest {
    pub(super) fn read() -> Result<Self> {
        let text = std::fs::read_to_string(root().join("spin.toml")).context("could not read `spin.toml`")?;
        Ok(Self::of(&text))
    }

    fn of(text: &str) -> Self {
        let mut found = Self { components: Vec::new(), variables: Vec::new(), required: Vec::new() };
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name;
                if let Some(component) = name.strip_prefix("component.").filter(|name| !name.contains('.')) {
                    found.components.push(component.to_owned());
                }
            } else if let Some((name, value)) = line.split_once(" = ").filter(|_| section == "variables") {
                found.variables.push(name.to_owned());
                if value.contains("required = true") {
                    found.required.push(name.to_owned());
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_and_variables_are_found() {
        let manifest = Manifest::of(
            "[variables]\n# A comment.\na = { default = \"\" }\nb = { required = true }\n\
             [component.tasks]\nsource = \"x\"\n[component.tasks.variables]\na = \"{{ a }}\"\n[component.web]\n",
        );
        assert_eq!(manifest.components, ["tasks", "web"]);
        assert_eq!(manifest.variables, ["a", "b"]);
        assert_eq!(manifest.required, ["b"]);
    }
}
