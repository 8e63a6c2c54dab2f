//! Which properties does a Graph type have? Taken from Microsoft's own metadata (contracts/graph-v1.0-global.csdl).

/// What a user shows without `$select`.
#[rustfmt::skip]
pub const USER_DEFAULT: &[&str] = &[
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id",
];

/// `microsoft.graph.user`.
#[rustfmt::skip]
pub const USER: &[&str] = &[
    "id", "deletedDateTime", "aboutMe", "accountEnabled", "ageGroup", "assignedLicenses", "assignedPlans", "authorizationInfo",
    "birthday", "businessPhones", "city", "companyName", "consentProvidedForMinor", "country", "createdDateTime", "creationType",
    "customSecurityAttributes", "department", "deviceEnrollmentLimit", "displayName", "employeeHireDate", "employeeId",
    "employeeLeaveDateTime", "employeeOrgData", "employeeType", "externalUserState", "externalUserStateChangeDateTime",
    "faxNumber", "givenName", "hireDate", "identities", "identityParentId", "imAddresses", "interests", "isManagementRestricted",
    "isResourceAccount", "jobTitle", "lastPasswordChangeDateTime", "legalAgeGroupClassification", "licenseAssignmentStates",
    "mail", "mailboxSettings", "mailNickname", "mobilePhone", "mySite", "officeLocation", "onPremisesDistinguishedName",
    "onPremisesDomainName", "onPremisesExtensionAttributes", "onPremisesImmutableId", "onPremisesLastSyncDateTime",
    "onPremisesProvisioningErrors", "onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled",
    "onPremisesUserPrincipalName", "otherMails", "passwordPolicies", "passwordProfile", "pastProjects", "postalCode",
    "preferredDataLocation", "preferredLanguage", "preferredName", "print", "provisionedPlans", "proxyAddresses",
    "responsibilities", "schools", "securityIdentifier", "serviceProvisioningErrors", "showInAddressList", "signInActivity",
    "signInSessionsValidFromDateTime", "skills", "state", "streetAddress", "surname", "usageLocation", "userPrincipalName",
    "userType",
];

/// `microsoft.graph.group`.
#[rustfmt::skip]
pub const GROUP: &[&str] = &[
    "id", "deletedDateTime", "accessType", "allowExternalSenders", "assignedLabels", "assignedLicenses",
    "autoSubscribeNewMembers", "classification", "createdDateTime", "description", "displayName", "expirationDateTime",
    "groupTypes", "hasMembersWithLicenseErrors", "hideFromAddressLists", "hideFromOutlookClients", "infoCatalogs", "isArchived",
    "isAssignableToRole", "isFavorite", "isManagementRestricted", "isSubscribedByMail", "licenseProcessingState", "mail",
    "mailEnabled", "mailNickname", "membershipRule", "membershipRuleProcessingState", "onPremisesDomainName",
    "onPremisesExtensionAttributes", "onPremisesLastSyncDateTime", "onPremisesNetBiosName", "onPremisesProvisioningErrors",
    "onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled", "organizationId",
    "preferredDataLocation", "preferredLanguage", "proxyAddresses", "renewedDateTime", "resourceBehaviorOptions",
    "resourceProvisioningOptions", "securityEnabled", "securityIdentifier", "serviceProvisioningErrors", "theme", "uniqueName",
    "unseenConversationsCount", "unseenCount", "unseenMessagesCount", "visibility", "welcomeMessageEnabled",
];

/// `microsoft.graph.unifiedRoleAssignment`.
#[rustfmt::skip]
pub const ROLE_ASSIGNMENT: &[&str] = &[
    "id", "appScopeId", "condition", "directoryScopeId", "principalId", "principalOrganizationId", "roleDefinitionId",
];

/// `microsoft.graph.unifiedRoleDefinition`.
#[rustfmt::skip]
pub const ROLE_DEFINITION: &[&str] = &[
    "id", "description", "displayName", "isBuiltIn", "isEnabled", "resourceScopes", "rolePermissions", "templateId", "version",
];

/// `microsoft.graph.licenseDetails`.
#[rustfmt::skip]
pub const LICENSE_DETAILS: &[&str] = &[
    "id", "servicePlans", "skuId", "skuPartNumber",
];

/// `microsoft.graph.subscribedSku`.
#[rustfmt::skip]
pub const SUBSCRIBED_SKU: &[&str] = &[
    "id", "accountId", "accountName", "appliesTo", "capabilityStatus", "consumedUnits", "prepaidUnits", "servicePlans", "skuId",
    "skuPartNumber", "subscriptionIds",
];

/// `microsoft.graph.organization`.
#[rustfmt::skip]
pub const ORGANIZATION: &[&str] = &[
    "id", "deletedDateTime", "assignedPlans", "businessPhones", "city", "country", "countryLetterCode", "createdDateTime",
    "defaultUsageLocation", "displayName", "marketingNotificationEmails", "mobileDeviceManagementAuthority",
    "onPremisesLastSyncDateTime", "onPremisesSyncEnabled", "partnerTenantType", "postalCode", "preferredLanguage",
    "privacyProfile", "provisionedPlans", "securityComplianceNotificationMails", "securityComplianceNotificationPhones", "state",
    "street", "technicalNotificationMails", "tenantType", "verifiedDomains",
];

/// `microsoft.graph.servicePrincipal`.
#[rustfmt::skip]
pub const SERVICE_PRINCIPAL: &[&str] = &[
    "id", "deletedDateTime", "accountEnabled", "addIns", "alternativeNames", "appDescription", "appDisplayName", "appId",
    "applicationTemplateId", "appOwnerOrganizationId", "appRoleAssignmentRequired", "appRoles", "createdByAppId",
    "customSecurityAttributes", "description", "disabledByMicrosoftStatus", "displayName", "homepage", "info", "isDisabled",
    "keyCredentials", "loginUrl", "logoutUrl", "notes", "notificationEmailAddresses", "oauth2PermissionScopes",
    "passwordCredentials", "preferredSingleSignOnMode", "preferredTokenSigningKeyThumbprint", "replyUrls",
    "resourceSpecificApplicationPermissions", "samlSingleSignOnSettings", "servicePrincipalNames", "servicePrincipalType",
    "signInAudience", "tags", "tokenEncryptionKeyId", "verifiedPublisher",
];

/// `microsoft.graph.application`.
#[rustfmt::skip]
pub const APPLICATION: &[&str] = &[
    "id", "deletedDateTime", "addIns", "api", "appId", "applicationTemplateId", "appRoles", "authenticationBehaviors",
    "certification", "createdByAppId", "createdDateTime", "defaultRedirectUri", "description", "disabledByMicrosoftStatus",
    "displayName", "groupMembershipClaims", "identifierUris", "info", "isDeviceOnlyAuthSupported", "isDisabled",
    "isFallbackPublicClient", "keyCredentials", "logo", "managerApplications", "nativeAuthenticationApisEnabled", "notes",
    "oauth2RequirePostResponse", "optionalClaims", "parentalControlSettings", "passwordCredentials", "publicClient",
    "publisherDomain", "requestSignatureVerification", "requiredResourceAccess", "samlMetadataUrl", "serviceManagementReference",
    "servicePrincipalLockConfiguration", "signInAudience", "spa", "tags", "tokenEncryptionKeyId", "uniqueName",
    "verifiedPublisher", "web",
];

/// `microsoft.graph.unifiedRoleAssignmentScheduleInstance`.
#[rustfmt::skip]
pub const ASSIGNMENT_INSTANCE: &[&str] = &[
    "id", "appScopeId", "directoryScopeId", "principalId", "roleDefinitionId", "assignmentType", "endDateTime", "memberType",
    "roleAssignmentOriginId", "roleAssignmentScheduleId", "startDateTime",
];

/// `microsoft.graph.unifiedRoleEligibilityScheduleInstance`.
#[rustfmt::skip]
pub const ELIGIBILITY_INSTANCE: &[&str] = &[
    "id", "appScopeId", "directoryScopeId", "principalId", "roleDefinitionId", "endDateTime", "memberType",
    "roleEligibilityScheduleId", "startDateTime",
];

/// `microsoft.graph.unifiedRoleAssignmentSchedule`.
#[rustfmt::skip]
pub const ASSIGNMENT_SCHEDULE: &[&str] = &[
    "id", "appScopeId", "createdDateTime", "createdUsing", "directoryScopeId", "modifiedDateTime", "principalId",
    "roleDefinitionId", "status", "assignmentType", "memberType", "scheduleInfo",
];

/// `microsoft.graph.unifiedRoleEligibilitySchedule`.
#[rustfmt::skip]
pub const ELIGIBILITY_SCHEDULE: &[&str] = &[
    "id", "appScopeId", "createdDateTime", "createdUsing", "directoryScopeId", "modifiedDateTime", "principalId",
    "roleDefinitionId", "status", "memberType", "scheduleInfo",
];

/// `microsoft.graph.unifiedRoleAssignmentScheduleRequest`, as far as a caller may write it.
#[rustfmt::skip]
pub const ASSIGNMENT_REQUEST: &[&str] = &[
    "action", "appScopeId", "customData", "directoryScopeId", "isValidationOnly", "justification", "principalId",
    "roleDefinitionId", "scheduleInfo", "targetScheduleId", "ticketInfo",
];

/// `microsoft.graph.oAuth2PermissionGrant`.
#[rustfmt::skip]
pub const PERMISSION_GRANT: &[&str] = &[
    "id", "clientId", "consentType", "principalId", "resourceId", "scope",
];

/// `microsoft.graph.appRoleAssignment`.
#[rustfmt::skip]
pub const APP_ROLE_ASSIGNMENT: &[&str] = &[
    "id", "deletedDateTime", "appRoleId", "createdDateTime", "principalDisplayName", "principalId", "principalType",
    "resourceDisplayName", "resourceId",
];

/// `microsoft.graph.identitySecurityDefaultsEnforcementPolicy`.
#[rustfmt::skip]
pub const SECURITY_DEFAULTS: &[&str] = &[
    "id", "deletedDateTime", "description", "displayName", "isEnabled",
];

/// `microsoft.graph.conditionalAccessPolicy`.
#[rustfmt::skip]
pub const ACCESS_POLICY: &[&str] = &[
    "id", "deletedDateTime", "conditions", "createdDateTime", "description", "displayName", "grantControls", "modifiedDateTime",
    "sessionControls", "state", "templateId",
];

/// `microsoft.graph.userRegistrationDetails`.
#[rustfmt::skip]
pub const REGISTRATION_DETAILS: &[&str] = &[
    "id", "isAdmin", "isMfaCapable", "isMfaRegistered", "isPasswordlessCapable", "isSsprCapable", "isSsprEnabled",
    "isSsprRegistered", "isSystemPreferredAuthenticationMethodEnabled", "lastUpdatedDateTime", "methodsRegistered",
    "systemPreferredAuthenticationMethods", "userDisplayName", "userPreferredMethodForSecondaryAuthentication",
    "userPrincipalName", "userType",
];
