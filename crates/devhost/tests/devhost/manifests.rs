use super::support::Application;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"test\"\n";
const HTTP: &str = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n";
const GUEST: &str = "[component.guest]\nsource = \"guest.wasm\"\n";

/// Manifests as head, then lines, with the parts that the refusal must have.
#[tokio::test]
async fn bad_manifests_are_refused_by_key_value_and_form() {
    let component = |line: &str| format!("{HEAD}{HTTP}{GUEST}{line}\n");
    let trigger = |lines: &str| format!("{HEAD}[[trigger.http]]\n{lines}\n{GUEST}");
    let variable = |lines: &str| format!("{HEAD}[variables]\n{lines}\n{HTTP}{GUEST}");
    let table: Vec<(String, &[&str])> = vec![
        ("spin".into(), &["not TOML"]),
        (String::new(), &["`spin_manifest_version` is absent", "`2`"]),
        ("spin_manifest_version = \"1\"".into(), &["`spin_manifest_version` is `1`", "`2`"]),
        ("spin_manifest_version = 2".into(), &["`application.name` is absent"]),
        ("spin_manifest_version = 2\napplication = 3".into(), &["`application` is `3`", "a table"]),
        ("spin_manifest_version = 2\n[application]\nname = 3".into(), &["`application.name` is `3`"]),
        (format!("{HEAD}naem = \"x\"\n{HTTP}{GUEST}"), &["`application.naem` is unknown", "`name`"]),
        (
            format!("{HEAD}[application.trigger.http]\nbase = \"/base\"\n{HTTP}{GUEST}"),
            &["`application.trigger.http.base`", "`\"/base\"`", "each route"],
        ),
        (
            format!("{HEAD}[application.trigger.redis]\naddress = \"redis://x\"\n{HTTP}{GUEST}"),
            &["`application.trigger.redis`", "not supported"],
        ),
        (HEAD.into(), &["`trigger.http` is absent"]),
        (
            format!("{HEAD}[[trigger.redis]]\nchannel = \"x\"\n{HTTP}{GUEST}"),
            &["`trigger.redis`", "not supported", "[[trigger.http]]"],
        ),
        (format!("{HEAD}[trigger.http]\nroute = \"/\"\n"), &["`trigger.http` is", "an array"]),
        (trigger("route = \"/\""), &["`trigger.http[0].component` is absent"]),
        (trigger("component = \"guest\""), &["`trigger.http[0].route` is absent"]),
        (trigger("route = \"/\"\ncomponent = \"geust\""), &["`trigger.http[0].component` is `geust`", "`guest`"]),
        (trigger("route = \"/a*b\"\ncomponent = \"guest\""), &["`trigger.http[0].route` is `/a*b`", "/api/tasks/..."]),
        (trigger("route = { private = false }\ncomponent = \"guest\""), &["`trigger.http[0].route`", "private = true"]),
        (
            trigger("route = \"/\"\ncomponent = \"guest\"\nexecutor = { type = \"wagi\" }"),
            &["`trigger.http[0].executor`", "wagi", "not supported"],
        ),
        (
            trigger("route = \"/\"\ncomponents = { a = \"guest\" }\ncomponent = \"guest\""),
            &["`trigger.http[0].components`", "use `component`"],
        ),
        (
            trigger("route = \"/\"\ncomponent = \"guest\"\nruote = \"/\""),
            &["`trigger.http[0].ruote` is unknown", "`route`"],
        ),
        (trigger("route = \"/\"\ncomponent = { soruce = \"x\" }"), &["`trigger.http[0].component.source` is absent"]),
        (
            format!(
                "{HEAD}[[trigger.http]]\nroute = \"/a/:b\"\ncomponent = \"guest\"\n\
                 [[trigger.http]]\nroute = \"/a/:c/\"\ncomponent = \"guest\"\n{GUEST}"
            ),
            &["`trigger.http[1].route` is `/a/:c/`", "no other trigger"],
        ),
        (format!("{HEAD}{HTTP}{HTTP}{GUEST}"), &["`trigger.http[1].route` is `/...`", "no other trigger"]),
        (
            format!("{HEAD}{HTTP}{GUEST}[component.Bad_Id]\nsource = \"x\"\n"),
            &["`component.Bad_Id`", "words joined by `-`"],
        ),
        (
            format!("{HEAD}{HTTP}[component.guest]\ndescription = \"x\"\n"),
            &["`component.guest.source` is absent", "path of a Wasm component"],
        ),
        (
            format!("{HEAD}{HTTP}[component.guest]\nsource = {{ url = \"https://x\", digest = \"y\" }}\n"),
            &["`component.guest.source`", "not fetched"],
        ),
        (
            format!("{HEAD}{HTTP}[component.guest]\nsource = \"https://example.com/x.wasm\"\n"),
            &["`component.guest.source`", "`https://example.com/x.wasm`", "not supported"],
        ),
        (
            component("key_value_stores = [\"default\"]"),
            &["`component.guest.key_value_stores`", "default", "not supported"],
        ),
        (component("sqlite_databases = [\"default\"]"), &["`component.guest.sqlite_databases`", "not supported"]),
        (component("ai_models = [\"llama\"]"), &["`component.guest.ai_models`", "llama"]),
        (
            component("allowed_http_hosts = [\"x.com\"]"),
            &["`component.guest.allowed_http_hosts`", "use `allowed_outbound_hosts`"],
        ),
        (component("dependencies = { \"a:b\" = \">= 0.1.0\" }"), &["`component.guest.dependencies`", "compose"]),
        (
            component("dependencies_inherit_configuration = true"),
            &["`component.guest.dependencies_inherit_configuration`", "`true`"],
        ),
        (component("sorce = \"x\""), &["`component.guest.sorce` is unknown", "`source`"]),
        (component("files = \"x\""), &["`component.guest.files` is `x`", "glob"]),
        (component("files = [3]"), &["`component.guest.files[0]` is `3`"]),
        (
            component("files = [{ source = \"a\", destination = \"b\" }]"),
            &["`component.guest.files[0]`", "destination = \"/\""],
        ),
        (component("environment = { A = 1 }"), &["`component.guest.environment.A` is `1`", "a string"]),
        (component("variables = { Upper = \"x\" }"), &["`component.guest.variables.Upper`", "lower-case"]),
        (component("variables = { a = \"{{ b\" }"), &["`component.guest.variables.a` is `{{ b`", "`}}`"]),
        (
            component("variables = { a = \"{{ b }}\" }"),
            &["`component.guest.variables.a` is `{{ b }}`", "not `b`", "none"],
        ),
        (
            component("allowed_outbound_hosts = [\"localhost\"]"),
            &["`component.guest.allowed_outbound_hosts[0]` is `localhost`", "scheme://host[:port]"],
        ),
        (component("allowed_outbound_hosts = [\"http://self\"]"), &["`http://self`", "not supported"]),
        (variable("a = \"x\""), &["`variables.a` is `x`", "required = true"]),
        (variable("a = {}"), &["`variables.a`", "either `required = true` or a `default`"]),
        (
            variable("a = { required = true, default = \"x\" }"),
            &["`variables.a`", "either `required = true` or a `default`"],
        ),
        (variable("a = { default = 3 }"), &["`variables.a.default` is `3`", "a string"]),
        (variable("A-B = { default = \"x\" }"), &["`variables.A-B`", "lower-case words"]),
        (variable("a = { default = \"x\", sercet = true }"), &["`variables.a.sercet` is unknown"]),
        (format!("{HEAD}{HTTP}{GUEST}[extra]\na = 1\n"), &["`extra` is unknown"]),
    ];
    for (text, parts) in table {
        let refused = Application::with_manifest(&text).refused().await;
        assert!(refused.contains("spin.toml"), "{refused}");
        for part in parts {
            assert!(refused.contains(part), "no `{part}` in: {refused}\n{text}");
        }
    }
}

#[tokio::test]
async fn what_spin_accepts_and_needs_no_host_is_ignored() {
    let served = Application::new(
        r#"
version = "1.0.0"
description = "d"
authors = ["a"]
[application.trigger.http]
base = "/"
[[trigger.http]]
id = "first"
route = "/hello"
component = { source = "GUEST" }
executor = { type = "http" }
[component.unused]
source = "absent.wasm"
key_value_stores = []
[component.unused.build]
command = "cargo build"
workdir = "."
watch = ["src"]
[component.unused.tool.lint]
level = 1
"#,
    )
    .start()
    .await;
    assert_eq!(served.get("/hello").await.text, "hello\n");
}

#[tokio::test]
async fn an_absent_manifest_or_component_is_named() {
    let absent = Application::with_manifest("")
        .configure(|config| config.manifest = "/nowhere/spin.toml".into())
        .refused()
        .await;
    assert!(absent.contains("`/nowhere/spin.toml`"), "{absent}");
    let text = format!("{HEAD}{HTTP}{GUEST}");
    let refused = Application::with_manifest(&text).refused().await;
    assert!(refused.contains("guest.wasm"), "{refused}");
    let refused = Application::with_manifest(&text).file("guest.wasm", "no wasm").refused().await;
    assert!(refused.contains("component `guest`"), "{refused}");
}

#[tokio::test]
async fn an_interface_that_is_not_provided_is_named() {
    let refused = Application::with_manifest(&format!("{HEAD}{HTTP}{GUEST}"))
        .file("guest.wasm", component_that_imports("fermyon:spin/key-value@2.0.0"))
        .refused()
        .await;
    assert!(refused.contains("component `guest`"), "{refused}");
    assert!(refused.contains("`fermyon:spin/key-value@2.0.0`"), "{refused}");
    assert!(refused.contains("fermyon:spin/variables@2.0.0"), "{refused}");
}

/// The smallest component with `(import "name" (instance))`.
fn component_that_imports(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    // The section of types has one: an instance without exports.
    bytes.extend([7, 3, 1, 0x42, 0]);
    // The section of imports has one, of that type.
    bytes.extend([10, length + 5, 1, 0, length]);
    bytes.extend(name.bytes());
    bytes.extend([5, 0]);
    bytes
}
