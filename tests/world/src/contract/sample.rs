//! What do the check's own tests check against? A piece in the manner of Graph's metadata, since the real one is not in this repository.

pub const CSDL: &str = r#"<?xml version="1.0"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>
 <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="microsoft.graph" Alias="graph">
  <EnumType Name="modes" IsFlags="true"><Member Name="sms" Value="1" /><Member Name="voice" Value="2" /></EnumType>
  <EnumType Name="expirationPatternType"><Member Name="noExpiration" Value="1" /><Member Name="afterDuration" Value="3" /></EnumType>
  <ComplexType Name="assignedLicense">
   <Property Name="disabledPlans" Type="Collection(Edm.Guid)" Nullable="false" />
   <Property Name="skuId" Type="Edm.Guid" />
  </ComplexType>
  <ComplexType Name="expirationPattern">
   <Property Name="duration" Type="Edm.Duration" />
   <Property Name="type" Type="graph.expirationPatternType" />
  </ComplexType>
  <ComplexType Name="requestSchedule"><Property Name="expiration" Type="graph.expirationPattern" /></ComplexType>
  <ComplexType Name="identitySet" OpenType="true" />
  <EntityType Name="entity" Abstract="true"><Key><PropertyRef Name="id" /></Key><Property Name="id" Type="Edm.String" Nullable="false" /></EntityType>
  <EntityType Name="directoryObject" BaseType="graph.entity" OpenType="true"><Property Name="deletedDateTime" Type="Edm.DateTimeOffset" /></EntityType>
  <EntityType Name="group" BaseType="graph.directoryObject" OpenType="true">
   <Property Name="isAssignableToRole" Type="Edm.Boolean" />
   <NavigationProperty Name="members" Type="Collection(graph.directoryObject)" />
  </EntityType>
  <EntityType Name="user" BaseType="graph.directoryObject" OpenType="true">
   <Property Name="accountEnabled" Type="Edm.Boolean" />
   <Property Name="assignedLicenses" Type="Collection(graph.assignedLicense)" Nullable="false" />
   <Property Name="createdBy" Type="graph.identitySet" />
   <Property Name="lastPasswordChangeDateTime" Type="Edm.DateTimeOffset" />
   <Property Name="mailboxSettings" Type="graph.mailboxSettings" />
   <Property Name="userPrincipalName" Type="Edm.String" />
   <NavigationProperty Name="authentication" Type="graph.authentication" ContainsTarget="true" />
   <NavigationProperty Name="photo" Type="graph.photo" ContainsTarget="true" />
   <NavigationProperty Name="transitiveMemberOf" Type="Collection(graph.directoryObject)" />
  </EntityType>
  <EntityType Name="servicePrincipal" BaseType="graph.directoryObject"><Property Name="appId" Type="Edm.String" /></EntityType>
  <EntityType Name="unifiedRoleAssignment" BaseType="graph.entity">
   <Property Name="directoryScopeId" Type="Edm.String" />
   <Property Name="principalId" Type="Edm.String" />
   <Property Name="roleDefinitionId" Type="Edm.String" />
   <NavigationProperty Name="principal" Type="graph.directoryObject" />
  </EntityType>
  <EntityType Name="unifiedRoleAssignmentScheduleRequest" BaseType="graph.entity">
   <Property Name="isValidationOnly" Type="Edm.Boolean" />
   <Property Name="principalId" Type="Edm.String" />
   <Property Name="scheduleInfo" Type="graph.requestSchedule" />
  </EntityType>
  <EntityType Name="rbacApplication" BaseType="graph.entity">
   <NavigationProperty Name="roleAssignments" Type="Collection(graph.unifiedRoleAssignment)" ContainsTarget="true" />
   <NavigationProperty Name="roleAssignmentScheduleRequests" Type="Collection(graph.unifiedRoleAssignmentScheduleRequest)" ContainsTarget="true" />
  </EntityType>
  <EntityType Name="roleManagement"><NavigationProperty Name="directory" Type="graph.rbacApplication" ContainsTarget="true" /></EntityType>
  <Action Name="assignLicense" IsBound="true">
   <Parameter Name="bindingParameter" Type="graph.user" Nullable="false" />
   <Parameter Name="addLicenses" Type="Collection(graph.assignedLicense)" Nullable="false" />
   <Parameter Name="removeLicenses" Type="Collection(Edm.Guid)" Nullable="false" />
   <ReturnType Type="graph.user" />
  </Action>
  <Function Name="delta" IsBound="true">
   <Parameter Name="bindingParameter" Type="Collection(graph.user)" />
   <ReturnType Type="Collection(graph.user)" />
  </Function>
  <EntityContainer Name="GraphService">
   <EntitySet Name="groups" EntityType="microsoft.graph.group"><NavigationPropertyBinding Path="members" Target="directoryObjects" /></EntitySet>
   <EntitySet Name="servicePrincipals" EntityType="microsoft.graph.servicePrincipal" />
   <EntitySet Name="users" EntityType="microsoft.graph.user" />
   <Singleton Name="roleManagement" Type="microsoft.graph.roleManagement" />
  </EntityContainer>
 </Schema>
</edmx:DataServices></edmx:Edmx>"#;

pub const PERMISSIONS: &str = "method,path,application_permission,rank,also_requires
GET,/users,User.Read.All,least,
GET,/users/{id},User.ReadBasic.All,least,
GET,/users/{id},User.Read.All,also,
GET,/users/delta,User.Read.All,least,
GET,/users/{id}/transitivememberof,User.Read.All,least,
GET,/serviceprincipals(appid={value}),Application.Read.All,least,
GET,/auditlogs/signins,AuditLog.Read.All,least,
POST,/users/{id}/assignlicense,LicenseAssignment.ReadWrite.All,least,
GET,/roleManagement/directory/roleAssignmentScheduleRequests/{unifiedRoleAssignmentScheduleRequestId},RoleManagement.Read.Directory,least,
POST,/serviceprincipals/{id}/approleassignments,AppRoleAssignment.ReadWrite.All,least,\"Application.Read.All,Directory.Read.All\"
POST,/rolemanagement/directory/roleassignments,RoleManagement.ReadWrite.Directory,least,
";
