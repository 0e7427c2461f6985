//! Manifests that are almost right: read or refused by key and value, never a panic.

use std::time::Duration;

use fuzzing::{computed, config, damaged};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"test\"\n";
const PARTS: [&str; 26] = [
    "[variables]\nplain = { default = \"a\" }\n",
    "[variables]\nneeded = { required = true, secret = true }\n",
    "[variables.both]\ndefault = \"a\"\nrequired = true\n",
    "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n",
    "[[trigger.http]]\nroute = \"/a/:b/*\"\ncomponent = \"guest\"\n",
    "[[trigger.http]]\nroute = { private = true }\ncomponent = \"guest\"\n",
    "[[trigger.http]]\nroute = \"/x\"\ncomponent = { source = \"x.wasm\" }\n",
    "[[trigger.http]]\nroute = \"/x\"\ncomponent = \"none\"\n",
    "[[trigger.redis]]\nchannel = \"a\"\n",
    "[component.guest]\nsource = \"guest.wasm\"\n",
    "[component.guest]\nsource = { url = \"http://a\", digest = \"sha256:0\" }\n",
    "allowed_outbound_hosts = [\"http://localhost:3500\", \"{{ plain }}\"]\n",
    "allowed_outbound_hosts = [\"http://*.example.com:8000..9000\", \"*://10.0.0.0/8:*\"]\n",
    "files = [\"web/**/*\", { source = \"a\", destination = \"/\" }]\n",
    "exclude_files = [\"**/*.md\"]\n",
    "environment = { A = \"{{ b }}\", C = \"\" }\n",
    "[component.guest.variables]\nplain = \"{{ plain }}-{{plain}}\"\n",
    "[component.guest.build]\ncommand = \"cargo build\"\n",
    "key_value_stores = [\"default\"]\n",
    "[component.guest.tool.x]\ny = 1979-05-27T07:32:00Z\n",
    "a = [[[[[[[[1]]]]]]]]\n",
    "a.b.c.d.e = { f = { g = [] } }\n",
    "x = 9223372036854775807\n",
    "y = inf\n",
    "z = \"\"\"\n\"\"\"\n",
    "[application.trigger.http]\nbase = \"/base\"\n",
];

fn refusal(error: &ManifestError) -> String {
    error.to_string()
}

proptest! {
    #![proptest_config(config(3_000))]

    #[test]
    fn any_manifest_is_read_or_refused_in_few_words(
        text in damaged(vec(select(&PARTS[..]), 0..7).prop_map(|parts| format!("{HEAD}{}", parts.concat())), &PARTS),
    ) {
        match Manifest::parse(&text, Path::new("spin.toml")) {
            Ok(manifest) => {
                prop_assert!(!manifest.triggers.is_empty());
                prop_assert!(manifest.triggers.iter().all(|trigger| manifest.components.contains_key(&trigger.component)));
            }
            Err(error) => prop_assert!(refusal(&error).len() < 4_000, "{}", refusal(&error)),
        }
    }
}

#[test]
fn large_and_deep_manifests_are_refused_quickly() {
    const BYTES: usize = 1 << 20;
    let many = |piece: &str| piece.repeat(BYTES / piece.len() - 100);
    let keys: String = (0..BYTES / 16).map(|number| format!("k{number:07} = 1\n")).collect();
    let texts = [
        format!("a = {}", many("[")),
        format!("a = {}", many("{a=")),
        many("[a]\n"),
        many("[[a]]\n"),
        format!("a{} = 1", many(".a")),
        format!("[a{}]", many(".a")),
        format!("{HEAD}{keys}"),
        format!("{HEAD}[component.guest]\nallowed_outbound_hosts = [{}]", many("\"http://a:1\",")),
        format!("{HEAD}[component.guest]\nsource = \"{}\"", many("a")),
        format!("x = {}", many("9")),
        format!("x = \"{}\"", many("{{")),
    ];
    for text in texts {
        let (_, time) =
            computed(|| Manifest::parse(&text, Path::new("spin.toml")).map_err(|error| refusal(&error)).err());
        assert!(time < Duration::from_secs(2), "{time:?} for {}...", &text[..40]);
    }
}

#[test]
fn a_manifest_without_end_is_refused() {
    let refused = Manifest::read(Path::new("/dev/zero")).map(drop).map_err(|(_, error)| refusal(&error));
    assert!(refused.is_err_and(|text| text.contains("at most 1048576")));
}
