use super::support::Application;

const VARIABLES: &str = r#"
[variables]
plain = { default = "from manifest" }
filed = { default = "from manifest" }
given = { default = "from manifest", secret = true }
needed = { required = true }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = "GUEST"
environment = { PLAIN = "{{ not a template }}" }
[component.guest.variables]
plain = "{{ plain }}"
filed = "{{ filed }}"
given = "<{{ given }}>"
needed = "{{needed}}"
fixed = "as it is"
"#;

#[tokio::test]
async fn values_come_from_the_nearest_source() {
    let served = Application::new(VARIABLES)
        .file(".env", "SPIN_VARIABLE_FILED=from file\nSPIN_VARIABLE_GIVEN=from file\n")
        .configure(|config| {
            config.variables =
                [("given".into(), "from configuration".into()), ("needed".into(), "there".into())].into();
        })
        .start()
        .await;
    for (name, value) in [
        ("plain", "from manifest"),
        ("filed", "from file"),
        ("given", "<from configuration>"),
        ("needed", "there"),
        ("fixed", "as it is"),
    ] {
        assert_eq!(served.get(&format!("/variable/{name}")).await.text, value, "{name}");
    }
    assert_eq!(served.get("/environment").await.text, "PLAIN={{ not a template }}");
}

#[tokio::test]
async fn unknown_and_malformed_names_are_errors_of_the_guest() {
    let served = Application::with_guest("").start().await;
    for (name, error) in [("absent", "Undefined"), ("Not-A-Name", "InvalidName")] {
        let answer = served.get(&format!("/variable/{name}")).await;
        assert_eq!(answer.status, 404);
        assert!(answer.text.contains(error), "{}", answer.text);
    }
}

#[tokio::test]
async fn required_variable_without_value_is_refused_by_name() {
    let refused = Application::new(VARIABLES).refused().await;
    assert!(refused.contains("`needed`"), "{refused}");
    assert!(refused.contains("SPIN_VARIABLE_NEEDED"), "{refused}");
}

#[tokio::test]
async fn a_value_for_no_variable_is_refused_by_name() {
    let refused = Application::new(VARIABLES)
        .configure(|config| {
            config.variables = [("needed".into(), String::new()), ("plian".into(), "hidden".into())].into();
        })
        .refused()
        .await;
    assert!(refused.contains("`plian`") && refused.contains("`plain`"), "{refused}");
    assert!(!refused.contains("hidden"), "{refused}");
}

#[tokio::test]
async fn a_secret_never_shows_in_an_error() {
    let refused = Application::new(
        r#"
[variables]
host = { required = true, secret = true }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = "GUEST"
allowed_outbound_hosts = ["{{ host }}"]
"#,
    )
    .configure(|config| config.variables = [("host".into(), "hunter2".into())].into())
    .refused()
    .await;
    assert!(refused.contains("`{{ host }}`"), "{refused}");
    assert!(refused.contains("component.guest.allowed_outbound_hosts[0]"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}
