//! [`check`] for every policy over every combination of facts.

use tapisservice_core::{ErrorKind, TenantId};

use super::*;

fn policies() -> Vec<Policy> {
    let publics = [PublicPolicy::new(), optional(), ignoring()];
    let publics = publics.into_iter().flat_map(|policy| [policy, policy.with_tenant()]).map(Policy::from);
    publics.chain([Policy::authenticated(), Policy::service_only(), callback_policy()]).collect()
}

fn answers() -> [Answer; 3] {
    [Answer::Unknown, Answer::Yes, no("answer")]
}

/// Every combination of what may be known before anything was asked.
fn all_facts() -> Vec<Facts> {
    let tokens = [
        TokenState::Unread,
        TokenState::Settled,
        TokenState::Pending,
        TokenState::Refused(expired()),
        TokenState::Refused(TokenError::UnknownTenant(TenantId::new("x").unwrap()).into()),
        TokenState::Refused(AuthError::MultipleHosts),
        TokenState::Refused(AuthError::NoRegistry),
        TokenState::Discarded,
    ];
    let optional = || answers().map(Some).into_iter().chain([None]);
    let mut all = vec![nobody()];
    let mut vary = |change: &dyn Fn(&Facts) -> Vec<Facts>| all = all.iter().flat_map(change).collect();
    vary(&|facts| tokens.iter().map(|token| Facts { token: token.clone(), ..facts.clone() }).collect());
    vary(&|facts| [None, USER, SERVICE].map(|caller| Facts { caller, ..facts.clone() }).to_vec());
    vary(&|facts| answers().map(|tenant| Facts { tenant, ..facts.clone() }).to_vec());
    vary(&|facts| [false, true].map(|is_own_options| Facts { is_own_options, ..facts.clone() }).to_vec());
    vary(&|facts| optional().map(|authn| Facts { authn, ..facts.clone() }).collect());
    vary(&|facts| optional().map(|authz| Facts { authz, ..facts.clone() }).collect());
    vary(&|facts| answers().map(|policy| Facts { policy, ..facts.clone() }).to_vec());
    all
}

/// A second way to say who may pass: what has to hold, whatever was asked on the way.
fn may_pass(policy: &Policy, facts: &Facts) -> bool {
    let yes = |answer: &Answer| matches!(answer, Answer::Yes);
    let is_settled = matches!(facts.token, TokenState::Settled | TokenState::Discarded);
    let is_known = facts.caller.is_some() || facts.authn.as_ref().is_some_and(yes);
    let is_acceptable = facts.authz.as_ref().is_none_or(yes);
    is_settled
        && match policy.to_string().as_str() {
            "public" | "public (token optional)" => true,
            "public_with_tenant" | "public_with_tenant (token optional)" => yes(&facts.tenant),
            "public (token ignored)" => {
                matches!(facts.token, TokenState::Discarded) || facts.caller.is_none()
            }
            "public_with_tenant (token ignored)" => {
                yes(&facts.tenant) && (matches!(facts.token, TokenState::Discarded) || facts.caller.is_none())
            }
            _ if facts.is_own_options => true,
            "authenticated" => is_known && is_acceptable,
            "service_only" => is_known && is_acceptable && facts.caller == SERVICE,
            "callback" => is_known && is_acceptable && yes(&facts.policy),
            name => panic!("{name} is a policy that this does not know"),
        }
}

#[test]
fn exactly_who_meets_a_policy_passes_it() {
    let all = all_facts();
    assert_eq!(all.len(), 8 * 3 * 3 * 2 * 4 * 4 * 3);
    for policy in policies() {
        for facts in &all {
            let passes = matches!(check(&policy, facts), Check::Pass);
            assert_eq!(passes, may_pass(&policy, facts), "{policy}, {facts:?}");
        }
    }
}

#[test]
fn without_the_layer_that_reads_tokens_nobody_passes() {
    for policy in policies() {
        for facts in all_facts().iter().filter(|facts| matches!(facts.token, TokenState::Unread)) {
            let Check::Refuse(error) = check(&policy, facts) else { panic!("{policy}, {facts:?}") };
            assert_eq!(error.kind(), ErrorKind::ServiceConfig, "{policy}, {facts:?}");
        }
    }
}

/// The facts after each answer that a question may get.
fn answered(question: Question<'_>, facts: &Facts) -> Vec<Facts> {
    let known = || [Answer::Yes, no("answer")];
    let with = |token: TokenState, caller| Facts { token, caller, ..facts.clone() };
    match question {
        Question::Token => vec![
            with(TokenState::Settled, None),
            with(TokenState::Settled, USER),
            with(TokenState::Refused(expired()), None),
            with(TokenState::Refused(AuthError::NoRegistry), None),
        ],
        Question::WithoutToken(_) => {
            vec![Facts { tenant: Answer::Unknown, ..with(TokenState::Discarded, None) }]
        }
        Question::TenantByHost => known().map(|tenant| Facts { tenant, ..facts.clone() }).to_vec(),
        Question::Authn => known().map(|authn| Facts { authn: Some(authn), ..facts.clone() }).to_vec(),
        Question::Authz => known().map(|authz| Facts { authz: Some(authz), ..facts.clone() }).to_vec(),
        Question::Policy(_) => known().map(|policy| Facts { policy, ..facts.clone() }).to_vec(),
    }
}

/// How many questions are asked at most until it is decided.
fn questions(policy: &Policy, facts: &Facts, before: usize) -> usize {
    assert!(before <= MAX_QUESTIONS, "{policy} comes to no end: {facts:?}");
    match check(policy, facts) {
        Check::Pass | Check::Refuse(_) => before,
        Check::Ask(question) => {
            let next = answered(question, facts).into_iter();
            next.map(|facts| questions(policy, &facts, before + 1)).max().unwrap()
        }
    }
}

#[test]
fn a_policy_asks_no_more_than_a_few_questions() {
    let all = all_facts();
    let most = policies().into_iter().map(|policy| {
        let most = all.iter().map(|facts| questions(&policy, facts, 0)).max();
        (policy.to_string(), most.unwrap())
    });
    let expected = [
        ("public", 1),
        ("public_with_tenant", 2),
        ("public (token optional)", 2),
        ("public_with_tenant (token optional)", 3),
        ("public (token ignored)", 1),
        ("public_with_tenant (token ignored)", 2),
        ("authenticated", 3),
        ("service_only", 3),
        ("callback", 4),
    ];
    assert!(most.eq(expected.map(|(name, most)| (name.to_owned(), most))));
}

/// What a document says of a route's answers is what the check gives.
#[test]
fn what_a_policy_says_of_itself_is_what_it_does() {
    let refuses = |policy: &Policy, facts: &Facts| matches!(check(policy, facts), Check::Refuse(_));
    for policy in policies() {
        assert_eq!(policy.requires_token(), refuses(&policy, &nobody()), "{policy}");
        let bad = with_token(TokenState::Refused(expired()));
        assert_eq!(policy.rejects_invalid_token(), refuses(&policy, &bad), "{policy}");
        let of_no_tenant = Facts { tenant: no("no such host"), authn: Some(Answer::Yes), ..nobody() };
        let requires_tenant = text(&check(&policy, &of_no_tenant)) == "403 no such host";
        assert_eq!(policy.requires_tenant(), requires_tenant, "{policy}");
        let good_is_discarded = text(&check(&policy, &of(USER))) == IGNORED;
        assert_eq!(policy.ignores_token(), good_is_discarded, "{policy}");
    }
}
