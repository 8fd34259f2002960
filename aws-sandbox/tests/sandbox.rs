//! What tests rely on, against the running server: accounts that do not meet, rules that happen,
//! a record that proves what was sent. Plain requests, no SDK.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test that calls them")]

use aws_sandbox::{Rule, Sandbox, http};
use serde_json::{Value, json};

fn dynamodb(sandbox: &Sandbox, operation: &str, body: &Value) -> Result<Value, String> {
    let signed = sandbox.signature("eu-central-1", "dynamodb");
    let target = format!("DynamoDB_20120810.{operation}");
    let headers = [
        ("Authorization", signed.as_str()),
        ("X-Amz-Target", target.as_str()),
        ("Content-Type", "application/x-amz-json-1.0"),
    ];
    http::ask("POST", sandbox.proxy(), "/", &headers, body.to_string().as_bytes())
}

fn table(sandbox: &Sandbox) {
    let table = json!({
        "TableName": "t", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    });
    dynamodb(sandbox, "CreateTable", &table).unwrap();
}

fn put(sandbox: &Sandbox, id: &str) -> Result<Value, String> {
    let item = json!({"TableName": "t", "Item": {"id": {"S": id}}});
    dynamodb(sandbox, "PutItem", &item)
}

fn scan(sandbox: &Sandbox, from: &Value) -> Value {
    let mut asked = json!({"TableName": "t"});
    if !from.is_null() {
        asked["ExclusiveStartKey"] = from.clone();
    }
    dynamodb(sandbox, "Scan", &asked).unwrap()
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn accounts_do_not_meet() {
    let (one, other) = (Sandbox::connect().unwrap(), Sandbox::connect().unwrap());
    assert_ne!(one.account(), other.account());
    table(&one);
    let tables = dynamodb(&other, "ListTables", &json!({})).unwrap();
    assert_eq!(tables["TableNames"], json!([]));
    assert!(one.requests().unwrap().iter().all(|request| request.operation == "CreateTable"));
    one.reset().unwrap();
    assert!(one.requests().unwrap().is_empty());
    let tables = dynamodb(&one, "ListTables", &json!({})).unwrap();
    assert_eq!(tables["TableNames"], json!([]));
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_committed_write_whose_answer_is_lost_is_done() {
    let sandbox = Sandbox::connect().unwrap();
    table(&sandbox);
    sandbox.rules(&[Rule::on("dynamodb", "PutItem").times(1).committed().reset()]).unwrap();
    put(&sandbox, "a").unwrap_err();
    assert_eq!(sandbox.rules_used().unwrap(), [1]);
    assert_eq!(scan(&sandbox, &Value::Null)["Count"], 1);
    let written = sandbox.mutations().unwrap();
    let last = written.last().unwrap();
    assert_eq!((last.operation.as_str(), last.outcome.as_str()), ("PutItem", "reset"));
    assert!(last.reached, "{last:?}");
    assert_eq!(last.body["Item"]["id"]["S"], "a");
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn errors_are_made_up_and_the_server_never_sees_them() {
    let sandbox = Sandbox::connect().unwrap();
    table(&sandbox);
    let rules = [
        Rule::on("dynamodb", "PutItem").times(1).throttled(),
        Rule::on("dynamodb", "PutItem").times(1).denied(),
        Rule::on("dynamodb", "PutItem").times(1).expired(),
        Rule::on("dynamodb", "PutItem").times(1).error(500, "InternalServerError", "no"),
        Rule::on("dynamodb", "PutItem").times(1).truncate(1),
    ];
    sandbox.rules(&rules).unwrap();
    for word in ["ThrottlingException", "dynamodb:PutItem", "ExpiredTokenException", "500"] {
        let error = put(&sandbox, "a").unwrap_err();
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(scan(&sandbox, &Value::Null)["Count"] == 0);
    put(&sandbox, "a").unwrap_err();
    assert_eq!(sandbox.rules_used().unwrap(), [1; 5]);
    put(&sandbox, "b").unwrap();
    assert_eq!(scan(&sandbox, &Value::Null)["Count"], 2);
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn pages_are_as_small_and_as_empty_as_asked() {
    let sandbox = Sandbox::connect().unwrap();
    table(&sandbox);
    for id in ["a", "b", "c"] {
        put(&sandbox, id).unwrap();
    }
    sandbox.pages("t", 2, true).unwrap();
    let mut counts = Vec::new();
    let mut from = Value::Null;
    loop {
        let page = scan(&sandbox, &from);
        counts.push(page["Count"].as_u64().unwrap());
        from = page["LastEvaluatedKey"].clone();
        if from.is_null() {
            break;
        }
    }
    assert_eq!(counts, [0, 2, 1]);
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_word_that_is_not_known_is_refused() {
    let sandbox = Sandbox::connect().unwrap();
    let rules =
        json!({"account": sandbox.account(), "rules": [{"opration": "Scan", "hang": true}]});
    let error = http::post(sandbox.proxy(), "/_ctl/rules", &rules).unwrap_err();
    assert!(error.contains("opration"), "{error}");
    let error = sandbox.service_behaves("c", "s", json!({"mode": "crsh"})).unwrap_err();
    assert!(error.contains("crsh"), "{error}");
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn the_real_aws_is_the_account() {
    let sandbox = Sandbox::connect().unwrap();
    table(&sandbox);
    put(&sandbox, "a").unwrap();
    let mut aws = sandbox.aws("eu-central-1").unwrap();
    let out = aws.args(["dynamodb", "scan", "--table-name", "t"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let answer: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(answer["Items"], json!([{"id": {"S": "a"}}]));
    let last = sandbox.requests().unwrap().pop().unwrap();
    assert_eq!((last.operation.as_str(), last.region.as_str()), ("Scan", "eu-central-1"));
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_scenario_fills_the_account() {
    let sandbox = Sandbox::connect().unwrap();
    assert_eq!(sandbox.fill("tradai-dev").unwrap(), "eu-central-1");
    let asked = json!({"TableName": "tradai-trading-state-dev"});
    assert_eq!(dynamodb(&sandbox, "Scan", &asked).unwrap()["Count"], 9);
    let error = sandbox.fill("no-such").unwrap_err();
    assert!(error.contains("there are: ops-pipeline, tradai-dev, wide"), "{error}");
}
