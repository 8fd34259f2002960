//! Endpoints and credentials, before anybody is asked.

use trading_core::report::Exit;

use super::Process;

const KEY: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s")];

fn with(more: &[(&'static str, &'static str)]) -> Process {
    Process::new(&[KEY.as_slice(), more].concat())
}

async fn code(process: &Process, name: &str) -> (&'static str, String) {
    match process.connect(name).await {
        Ok(_) => ("connected", String::new()),
        Err(fault) => {
            assert_eq!(fault.exit, Exit::Settings, "{fault}");
            (fault.code, fault.hint.unwrap_or_default())
        }
    }
}

#[tokio::test]
async fn an_endpoint_from_the_shell_is_refused_for_production() {
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "TRADECTL_ENDPOINT"] {
        let process = with(&[(name, "http://127.0.0.1:9")]);
        assert_eq!(code(&process, "tradai-prod").await.0, "aws.ambient_endpoint", "{name}");
        assert_eq!(code(&process, "ops-pipeline").await.0, "aws.ambient_endpoint", "{name}");
        assert_eq!(code(&process, "tradai-dev").await.0, "connected", "{name}");
    }
    let in_a_file = with(&[]);
    let folder = in_a_file.home.path().join(".aws");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("config"), "[default]\nendpoint_url = http://127.0.0.1:9\n")
        .expect("written");
    assert_eq!(code(&in_a_file, "tradai-prod").await.0, "aws.ambient_endpoint");
    let connection = in_a_file.connect("tradai-dev").await.expect("connected");
    assert_eq!(connection.endpoint("ECS"), Some("http://127.0.0.1:9"));
    assert_eq!(code(&with(&[]), "tradai-prod").await.0, "connected");
}

#[tokio::test]
async fn an_endpoint_of_the_settings_goes_before_the_shells() {
    let process = with(&[
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:8"),
    ])
    .with_settings("[environments.tradai-prod]\nendpoint = \"https://vpce.example\"\n");
    let connection = process.connect("tradai-prod").await.expect("connected");
    for service in ["STS", "DYNAMODB"] {
        assert_eq!(connection.endpoint(service), Some("https://vpce.example"), "{service}");
    }
    let connection = process.connect("tradai-dev").await.expect("connected");
    assert_eq!(connection.endpoint("STS"), Some("http://127.0.0.1:8"));
    assert_eq!(connection.endpoint("DYNAMODB"), Some("http://127.0.0.1:9"));
}

#[tokio::test]
async fn what_asks_for_a_code_or_a_session_says_what_to_type() {
    let files = |vars: &[(&str, &str)], config: &str| {
        let process = Process::new(vars);
        let folder = process.home.path().join(".aws");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("config"), config).expect("written");
        process
    };
    let mfa = "[profile base]\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n\
               [profile ops]\nrole_arn = arn:aws:iam::123456789012:role/ops\n\
               source_profile = base\n";
    let found = code(&files(&[("AWS_PROFILE", "ops")], mfa), "tradai-dev").await;
    assert_eq!(found.0, "aws.mfa");
    assert_eq!(found.1, "eval \"$(aws configure export-credentials --profile ops --format env)\"");
    // Where the settings name the profile, the shell's would not be looked at.
    let settings = "[environments.sandbox]\nprofile = \"tradai\"\nstage = \"dev\"\n\
                    credentials_profile = \"ops\"\n";
    let (of_settings, hint) = code(&files(&KEY, mfa).with_settings(settings), "sandbox").await;
    assert_eq!(of_settings, "aws.mfa");
    assert!(hint.contains("credentials_profile") && !hint.contains("eval"), "{hint}");
    // What the command prints is used, whatever the profile asks for.
    let exported = files(&[KEY.as_slice(), &[("AWS_PROFILE", "ops")]].concat(), mfa);
    assert_eq!(code(&exported, "tradai-dev").await.0, "connected");
    let unknown = code(&files(&[("AWS_PROFILE", "nobody")], mfa), "tradai-dev").await;
    assert_eq!(unknown, ("aws.profile", "aws configure list-profiles".to_owned()));
    let nothing = code(&Process::new(&[]), "tradai-dev").await;
    assert_eq!(nothing, ("aws.no_credentials", "aws configure".to_owned()));
}

#[tokio::test]
async fn a_bundle_or_a_proxy_that_cannot_be_used_ends_it_before_anything_is_asked() {
    let process = with(&[("AWS_CA_BUNDLE", "nowhere.pem")]);
    assert_eq!(code(&process, "tradai-dev").await.0, "aws.ca_bundle");
    for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let process = with(&[("AWS_CA_BUNDLE", "odd.pem")]);
        std::fs::write(process.home.path().join("odd.pem"), text).expect("written");
        assert_eq!(code(&process, "tradai-dev").await.0, "aws.ca_bundle", "{text:?}");
    }
    let process = with(&[("HTTPS_PROXY", "http://us er:secret@")]);
    let Err(fault) = process.connect("tradai-dev").await else { panic!("no proxy's address") };
    assert_eq!(fault.code, "aws.proxy");
    assert!(!format!("{fault:?}").contains("secret"), "{fault:?}");
}

#[tokio::test]
async fn a_file_that_the_settings_name_goes_before_everything_else() {
    let settings = "[environments.sandbox]\nprofile = \"tradai\"\nstage = \"dev\"\n\
        credentials_file = \"keys\"\ncredentials_profile = \"sandbox\"\n";
    let process = with(&[("AWS_PROFILE", "nobody-has-it")]).with_settings(settings);
    let (code_, hint) = code(&process, "sandbox").await;
    assert_eq!(code_, "aws.credentials_file", "{hint}");
    let keys = process.home.path().join("config/keys");
    let text = "[sandbox]\naws_access_key_id = AKIA2\naws_secret_access_key = s\n";
    std::fs::write(&keys, text).expect("written");
    let connection = process.connect("sandbox").await.expect("connected");
    assert_eq!(connection.key_id, "AKIA2", "not what the shell holds");
    assert!(connection.renew.contains(&keys.display().to_string()), "{}", connection.renew);
    std::fs::write(&keys, "[other]\naws_access_key_id = AKIA3\n").expect("written");
    assert_eq!(code(&process, "sandbox").await.0, "aws.profile");
}
